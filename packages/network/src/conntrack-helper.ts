import { refusal } from './errors.ts';
import type { OneOf } from './collection.ts';
import type { Branded } from './nouns.ts';
import type { RouterId } from './router.ts';

export type ConntrackHelperId = Branded<'ConntrackHelperId'>;

/** The application protocols that Open vSwitch can follow (its `ct(alg=…)`), by the transport that each is spoken over. */
const trackable: ReadonlyMap<string, string> = new Map([
  ['ftp', 'tcp'],
  ['tftp', 'udp'],
]);

/** That a router follows an application protocol, so that the connections it opens beside its first one pass as well. */
export interface ConntrackHelper {
  readonly id: ConntrackHelperId;
  readonly routerId: RouterId;
  readonly protocol: 'tcp' | 'udp';
  /** Where servers listen; once per router and protocol. */
  readonly port: number;
  readonly helper: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type ConntrackHelperSummary = Pick<ConntrackHelper, 'protocol' | 'port' | 'helper'>;

export interface ConntrackHelperTypes {
  readonly id: ConntrackHelperId;
  readonly view: ConntrackHelper;
  readonly create: ConntrackHelperSummary & { readonly routerId: RouterId };
  readonly update: { readonly [F in keyof ConntrackHelperSummary]?: ConntrackHelperSummary[F] | undefined };
  readonly filter: {
    readonly id?: OneOf<ConntrackHelperId>;
    readonly routerId?: OneOf<RouterId>;
    readonly protocol?: OneOf<string>;
    readonly port?: OneOf<number>;
    readonly helper?: OneOf<string>;
    /** Only those of routers of this project. */
    readonly visibleTo?: string | undefined;
  };
  readonly sortKey: 'id' | keyof ConntrackHelperSummary;
}

/** Refuses helpers that no switch has, and those of another transport. */
export function checkConntrackHelper({ helper, protocol }: ConntrackHelperSummary): void {
  const transport = trackable.get(helper);
  if (transport === undefined) {
    throw refusal('ConntrackHelperNotAllowed', { helper, known: [...trackable.keys()].join(', ') });
  }
  if (transport !== protocol) throw refusal('InvalidProtocolForHelper', { helper, protocol, transport });
}
