/** In which places keys are used, and how often. Every add has one remove, alike. */
export class Usage<Key, Place> {
  readonly #counts = new Map<Key, Map<Place, number>>();

  /** Answers with how often the key is used there now: 1 is the first time. */
  add(key: Key, place: Place): number {
    const places = this.#counts.get(key) ?? new Map<Place, number>();
    this.#counts.set(key, places);
    const count = (places.get(place) ?? 0) + 1;
    places.set(place, count);
    return count;
  }

  /** Answers with how often the key is used there still: 0 is no more. */
  remove(key: Key, place: Place): number {
    const places = this.#counts.get(key);
    const count = places?.get(place);
    if (places === undefined || count === undefined) throw new Error('a use that ends and never began');
    if (count > 1) places.set(place, count - 1);
    else places.delete(place);
    if (places.size === 0) this.#counts.delete(key);
    return count - 1;
  }

  /** Where the key is used. */
  places(key: Key): Iterable<Place> {
    return this.#counts.get(key)?.keys() ?? [];
  }
}
