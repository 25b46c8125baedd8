import type { AnyDefinition } from '../definition.ts';
import { network } from './network.ts';
import { node } from './node.ts';
import { port } from './port.ts';
import { subnet } from './subnet.ts';

/** Every resource of the API. */
export const definitions: readonly AnyDefinition[] = [network, subnet, port, node];
