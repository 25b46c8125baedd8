/** Puts `value` in the set at `key` or takes it out; true when the set is the first value's, or was the last one's. */
export function put<K, V>(sets: Map<K, Set<V>>, key: K, value: V, isIn: boolean): boolean {
  const found = sets.get(key);
  if (isIn) {
    if (found === undefined) sets.set(key, new Set([value]));
    else found.add(value);
    return found === undefined;
  }
  found?.delete(value);
  if (found?.size !== 0) return false;
  return sets.delete(key);
}
