/** Whose flows are whose: names of what flows are made for. */
import type { RemoteSet } from './security-keys.ts';

/** `port ID`, `neighbor ID`, `router ID`, `vpc ID`, `provider ID`, `floating ID`, `acl ID`, `quality ID` and `proxy ID` (of a port), `group ID` or `addresses ID`. */
export type Owner =
  | `port ${string}`
  | `neighbor ${string}`
  | `router ${string}`
  | `vpc ${string}`
  | `provider ${string}`
  | `floating ${string}`
  | `acl ${string}`
  | `quality ${string}`
  | `proxy ${string}`
  | RemoteSet;

/** Of two resources that want the same place, the one on this host knows better. */
export const RANK = {
  host: 0,
  port: 1,
  neighbor: 2,
  router: 3,
  group: 4,
  addresses: 4,
  acl: 4,
  vpc: 5,
  broadcast: 6,
  provider: 7,
  floating: 8,
} as const;

export function portOwner(id: string): Owner {
  return `port ${id}`;
}

export function neighborOwner(id: string): Owner {
  return `neighbor ${id}`;
}

export function routerOwner(id: string): Owner {
  return `router ${id}`;
}

export function vpcOwner(id: string): Owner {
  return `vpc ${id}`;
}

export function floatingOwner(id: string): Owner {
  return `floating ${id}`;
}

/** What a port's QoS policy makes of it. */
export function qualityOwner(id: string): Owner {
  return `quality ${id}`;
}

/** What a router answers for in a port's place. */
export function proxyOwner(id: string): Owner {
  return `proxy ${id}`;
}

/** All that may have flows under one resource's id. */
export function ownersOf(id: string): readonly Owner[] {
  return [
    portOwner(id),
    neighborOwner(id),
    routerOwner(id),
    vpcOwner(id),
    `provider ${id}`,
    floatingOwner(id),
    `acl ${id}`,
    qualityOwner(id),
    proxyOwner(id),
    `group ${id}`,
    `addresses ${id}`,
  ];
}

export function isOf(kind: 'port' | 'neighbor' | 'router' | 'acl' | 'group' | 'addresses', owner: Owner): boolean {
  return owner.startsWith(`${kind} `);
}

/** The resource that an owner's name stands for. */
export function resourceOf(owner: string): string {
  return owner.slice(owner.indexOf(' ') + 1);
}
