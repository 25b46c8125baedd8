/**
 * Keys by which flows ask each other, in reg6 and reg7: 64 bits of hash, so that a process that starts anew knows them
 * from the state alone. Ids are the controller's, so nobody outside chooses what collides.
 */
import { hash32 } from './cookie.ts';

export type Direction = 'ingress' | 'egress';

/** Where the remote end of a rule has to be: in a group, or in an address group. */
export type RemoteSet = `group ${string}` | `addresses ${string}`;

export interface Key {
  readonly reg6: number;
  readonly reg7: number;
}

/** A group in one direction; also its rules that ask for no set. */
export function groupKey(direction: Direction, groupId: string): Key {
  return keyOf(`${direction} ${groupId}`);
}

/** The rules of a group in one direction that ask for this set. */
export function rulesKey(direction: Direction, groupId: string, remote: RemoteSet): Key {
  return keyOf(`${direction} ${groupId} ${remote}`);
}

export function setKey(remote: RemoteSet): Key {
  return keyOf(`in ${remote}`);
}

function keyOf(text: string): Key {
  // The other half begins differently: two texts that collide in one half go on to collide only if they share its state.
  return { reg6: hash32(text), reg7: hash32(`again ${text}`) };
}
