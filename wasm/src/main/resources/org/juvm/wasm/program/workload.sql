-- Fills a table with an index, then joins, groups, searches, changes and checks it.
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, value INTEGER);
CREATE INDEX item_value ON item (value);

WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < @SIZE@)
INSERT INTO item SELECT n, 'name' || n, (n * 2654435761) % 1000003 FROM counter;

SELECT count(*), min(value), max(value), sum(value) FROM item;
SELECT sum(a.value * b.id) FROM item a JOIN item b ON a.value = b.value;
SELECT count(*) FROM item WHERE name LIKE '%99%';
SELECT value % 7 AS class, count(*), avg(id) FROM item GROUP BY class ORDER BY class;

BEGIN;
UPDATE item SET name = upper(name) WHERE id % 5 = 0;
DELETE FROM item WHERE id % 9 = 0;
COMMIT;

SELECT name, value FROM item ORDER BY value DESC, id LIMIT 5;
SELECT count(*), sum(length(name)) FROM item;
PRAGMA integrity_check;
