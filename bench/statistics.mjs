export function median(values) {
  const sorted = values.toSorted(ascending);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values, share) {
  return values.toSorted(ascending)[Math.ceil(values.length * share) - 1];
}

function ascending(a, b) {
  return a - b;
}
