type Columns = Readonly<Record<string, readonly unknown[]>>;
type Row<T extends Columns> = { [Column in keyof T]: T[Column][number] };

/**
 * Rows in which any two values of different columns occur together at least once. They find the interaction of two
 * conditions with far fewer rows than all combinations.
 *
 * @param isPossible false for combinations to leave out.
 */
export function pairs<T extends Columns>(columns: T, isPossible: (row: Row<T>) => boolean = () => true): Row<T>[] {
  const names = Object.keys(columns);
  // Indexes in place of values, which may be objects.
  const candidates = names
    .reduce<number[][]>((rows, name) => rows.flatMap((row) => columns[name]!.map((_, at) => [...row, at])), [[]])
    .filter((row) => isPossible(toRow(row)))
    .map((row) => ({ row, pairs: pairsOf(row) }));
  const missing = new Set(candidates.flatMap((candidate) => candidate.pairs));
  const found: Row<T>[] = [];
  while (missing.size > 0) {
    let best = candidates[0]!;
    let most = 0;
    for (const candidate of candidates) {
      const count = candidate.pairs.filter((pair) => missing.has(pair)).length;
      if (count > most) [best, most] = [candidate, count];
    }
    for (const pair of best.pairs) missing.delete(pair);
    found.push(toRow(best.row));
  }
  return found;

  function toRow(row: readonly number[]): Row<T> {
    return Object.fromEntries(names.map((name, column) => [name, columns[name]![row[column]!]])) as Row<T>;
  }
}

function pairsOf(row: readonly number[]): string[] {
  return row.flatMap((at, column) =>
    row.slice(column + 1).map((other, distance) => `${column}=${at},${column + 1 + distance}=${other}`),
  );
}
