"""Works with the standard library: records, text, numbers, compression, a parser of its own."""

import collections
import dataclasses
import decimal
import functools
import hashlib
import heapq
import io
import itertools
import json
import random
import re
import statistics
import string
import textwrap

SIZE = @SIZE@


@dataclasses.dataclass(order=True)
class Record:
    key: int
    name: str = dataclasses.field(compare=False)
    tags: list = dataclasses.field(compare=False, default_factory=list)


def records():
    """Random records, the same ones in every run."""
    generator = random.Random(2718)
    for number in range(SIZE):
        name = "".join(generator.choices(string.ascii_lowercase, k=8))
        tags = [name[:2], name[-1], str(number % 7)]
        yield Record(generator.randrange(10 * SIZE), name, tags)


def words():
    """Counts tags, the most frequent ones first."""
    counter = collections.Counter(tag for record in ALL for tag in record.tags)
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:5]


def round_trip():
    """Through JSON and back."""
    text = json.dumps([dataclasses.asdict(record) for record in ALL])
    back = [Record(**fields) for fields in json.loads(text)]
    return back == ALL, hashlib.sha256(text.encode()).hexdigest()[:16]


def matches():
    """Names in which a vowel stands between two equal letters."""
    pattern = re.compile(r"(?P<letter>[^aeiou])[aeiou](?P=letter)")
    return sum(1 for record in ALL if pattern.search(record.name))


def pi(digits):
    """Pi by Machin's formula."""
    decimal.getcontext().prec = digits + 5

    def arctan_of_inverse(x):
        power = decimal.Decimal(1) / x
        total = power
        for n in itertools.count(3, 2):
            power /= -x * x
            if abs(power) < decimal.Decimal(10) ** -(digits + 4):
                return total
            total += power / n

    value = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
    return str(value)[: digits + 2][-12:]


@functools.lru_cache(maxsize=None)
def paths(rows, columns):
    """Ways through a grid."""
    if rows == 0 or columns == 0:
        return 1
    return paths(rows - 1, columns) + paths(rows, columns - 1)


def evaluate(text):
    """A calculator by recursive descent."""
    tokens = collections.deque(re.findall(r"\d+|[-+*()]", text))

    def factor():
        token = tokens.popleft()
        if token == "(":
            value = total()
            tokens.popleft()
            return value
        return int(token)

    def product():
        value = factor()
        while tokens and tokens[0] == "*":
            tokens.popleft()
            value *= factor()
        return value

    def total():
        value = product()
        while tokens and tokens[0] in "+-":
            sign = 1 if tokens.popleft() == "+" else -1
            value += sign * product()
        return value

    return total()


ALL = list(records())
print("smallest", [record.name for record in heapq.nsmallest(3, ALL)])
print("sorted", hashlib.md5("".join(r.name for r in sorted(ALL)).encode()).hexdigest())
print("words", words())
print("json", *round_trip())
print("matches", matches())
print("mean", round(statistics.fmean(record.key for record in ALL) / SIZE, 6))
print("pi", pi(200))
print("paths", paths(60, 60))
print("value", sum(evaluate(f"({n}+3)*(2*{n}-1)") for n in range(SIZE // 5)))
buffer = io.StringIO()
for line in textwrap.wrap(" ".join(record.name for record in ALL[:40]), 60):
    print(line.title(), file=buffer)
print(buffer.getvalue(), end="")
