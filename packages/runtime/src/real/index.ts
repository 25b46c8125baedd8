import type { Runtime } from '../runtime.ts';
import { realClock } from './clock.ts';
import { grpcTransport } from './grpc-transport.ts';
import { realRandom } from './random.ts';

export { dialBytes } from './dial.ts';
export { natsQueue, type NatsQueueOptions } from './nats/queue.ts';

/** The machine's own time, chance and wires. */
export function realRuntime(): Runtime {
  return { clock: realClock, random: realRandom, transport: grpcTransport };
}
