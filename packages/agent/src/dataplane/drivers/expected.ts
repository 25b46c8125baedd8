/** Connections that another one has spoken of, in the connection tracker of the switch in memory. */
import type { Connection, Tuple } from './conntrack.ts';

export interface Expected {
  readonly parent: Connection;
  /** As the other end sees it. */
  readonly translated: Tuple;
}

/** Whether a packet of no known connection is of one that belongs to `parent`; it is translated as that is. */
export function expectedOf(parent: Connection, tuple: Tuple): Expected | undefined {
  const { original, translated, alg } = parent;
  if (alg === undefined || tuple.protocol !== original.protocol || tuple.v6) return undefined;
  if (alg === 'ftp' && tuple.src === original.src && tuple.dst === original.dst)
    return { parent, translated: { ...tuple, src: translated.src, dst: translated.dst } };
  if (tuple.src !== translated.dst || tuple.dst !== translated.src) return undefined;
  // A server of TFTP answers from another port than the one it listens on (RFC 1350 section 4).
  if (alg === 'tftp' && tuple.dstPort !== translated.srcPort) return undefined;
  const dstPort = alg === 'tftp' ? original.srcPort : tuple.dstPort;
  return { parent, translated: { ...tuple, src: original.dst, dst: original.src, dstPort } };
}
