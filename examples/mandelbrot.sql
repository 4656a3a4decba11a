-- The Mandelbrot set, iterated in SQL.
WITH RECURSIVE
  columns(cx) AS (SELECT -2.05 UNION ALL SELECT cx + 0.04 FROM columns WHERE cx < 0.6),
  rows(cy) AS (SELECT -1.1 UNION ALL SELECT cy + 0.1 FROM rows WHERE cy < 1.05),
  orbit(n, cx, cy, x, y) AS (
    SELECT 0, cx, cy, 0.0, 0.0 FROM rows, columns
    UNION ALL
    SELECT n + 1, cx, cy, x * x - y * y + cx, 2.0 * x * y + cy
    FROM orbit
    WHERE x * x + y * y < 4.0 AND n < 27
  ),
  depth(cx, cy, n) AS (SELECT cx, cy, max(n) FROM orbit GROUP BY cy, cx ORDER BY cy, cx),
  picture(cy, line) AS (
    SELECT cy, group_concat(substr(' ..::--==++**%%##@@', 1 + min(n * 19 / 28, 18), 1), '')
    FROM depth GROUP BY cy
  )
SELECT group_concat(line, char(10)) FROM picture;
