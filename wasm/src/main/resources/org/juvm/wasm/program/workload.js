// Works with records, text, numbers and closures; prints what depends on the size only.
const SIZE = @SIZE@;

/** A generator of numbers below a limit, the same ones in every run. */
function random(seed) {
  let state = BigInt(seed);
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(limit));
  };
}

/** A hash of a string in 32 bits. */
function fnv(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

class Record {
  #secret;

  constructor(key, name) {
    this.key = key;
    this.name = name;
    this.#secret = key * 31;
  }

  get secret() {
    return this.#secret % 1009;
  }
}

function* records(count) {
  const next = random(42);
  for (let i = 0; i < count; i++) {
    let name = "";
    for (let j = 0; j < 8; j++) {
      name += String.fromCharCode(97 + next(26));
    }
    yield new Record(next(10 * count), name);
  }
}

/** A binary heap of records, smallest key first. */
class Heap {
  items = [];

  push(item) {
    const items = this.items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent].key <= items[at].key) break;
      [items[parent], items[at]] = [items[at], items[parent]];
      at = parent;
    }
  }

  pop() {
    const items = this.items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0) {
      items[0] = last;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && items[child + 1].key < items[child].key) child++;
        if (items[at].key <= items[child].key) break;
        [items[child], items[at]] = [items[at], items[child]];
        at = child;
      }
    }
    return top;
  }
}

/** Primes below a limit, by the sieve of Eratosthenes in a typed array. */
function primes(limit) {
  const composite = new Uint8Array(limit);
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (composite[n]) continue;
    count++;
    for (let m = n * n; m < limit; m += n) composite[m] = 1;
  }
  return count;
}

/** Queens on a board of the given width that do not attack each other. */
function queens(width, row = 0, columns = 0, left = 0, right = 0) {
  if (row === width) return 1;
  let solutions = 0;
  for (let free = ~(columns | left | right) & ((1 << width) - 1); free; free &= free - 1) {
    const bit = free & -free;
    solutions += queens(width, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return solutions;
}

/** Energy of three bodies after so many steps. */
function orbit(steps) {
  const bodies = [
    { x: 0, y: 0, vx: 0, vy: 0, m: 1000 },
    { x: 10, y: 0, vx: 0, vy: 10, m: 1 },
    { x: -20, y: 0, vx: 0, vy: -7, m: 1 },
  ];
  const dt = 0.001;
  for (let s = 0; s < steps; s++) {
    for (const a of bodies) {
      for (const b of bodies) {
        if (a === b) continue;
        const dx = b.x - a.x;
        const dy = b.y - a.y;
        const d = Math.sqrt(dx * dx + dy * dy);
        a.vx += (dt * b.m * dx) / (d * d * d);
        a.vy += (dt * b.m * dy) / (d * d * d);
      }
    }
    for (const a of bodies) {
      a.x += dt * a.vx;
      a.y += dt * a.vy;
    }
  }
  return bodies.reduce((sum, b) => sum + 0.5 * b.m * (b.vx * b.vx + b.vy * b.vy), 0);
}

const all = [...records(SIZE)];
const byName = new Map(all.map((record) => [record.name, record]));
console.log("names", byName.size, fnv([...byName.keys()].sort().join()));

const heap = new Heap();
all.forEach((record) => heap.push(record));
const sorted = Array.from({ length: SIZE }, () => heap.pop().key);
console.log("heap", sorted[0], sorted[SIZE - 1], fnv(sorted.join()));

const text = JSON.stringify(all);
console.log("json", text.length, fnv(text), JSON.parse(text).length);

const groups = {};
for (const { name, secret } of all) {
  (groups[name[0]] ??= []).push(secret);
}
console.log("groups", Object.keys(groups).sort().map((k) => `${k}${groups[k].length}`).join(" "));

const pattern = /([^aeiou])[aeiou]\1/u;
console.log("matches", all.filter((record) => pattern.test(record.name)).length);
console.log("primes", primes(10 * SIZE));
console.log("queens", queens(7));
console.log("orbit", orbit(SIZE >> 2).toFixed(6));
console.log("digits", fnv((2n ** BigInt(SIZE >> 2)).toString()));
