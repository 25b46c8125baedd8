import type { Clock, Random } from '@alcor/runtime';

/** Makes ids that grow with time (RFC 9562, section 5.7), also within one millisecond and when the clock goes back. */
export function createUuid7({ clock, random }: { readonly clock: Clock; readonly random: Random }): () => string {
  let last = 0;
  /** The 12 bits after the time: a counter (method 1 of section 6.2), begun low enough to leave room. */
  let counter = 0;
  return () => {
    const now = clock.wall();
    if (now > last) {
      last = now;
      counter = Math.floor(random.next() * 0x100);
    } else if (++counter > 0xfff) {
      last += 1;
      counter = 0;
    }
    const tail = random.bytes(8);
    const time = Math.floor(last).toString(16).padStart(12, '0');
    const variant = (0x80 | ((tail[0] ?? 0) & 0x3f)).toString(16);
    const rest = Array.from(tail.subarray(1), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const count = counter.toString(16).padStart(3, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${rest.slice(0, 2)}-${rest.slice(2)}`;
  };
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Whether PostgreSQL would take it for an id; what is none is the id of nothing. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}
