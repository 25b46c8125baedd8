/** What the switches in memory make of a packet. */
import type { Hop, Packet } from '@alcor/agent';
import type { Hosts } from './hosts.ts';
import type { Sent } from './random-packet.ts';
import { answeredBy, deliveredTo, LEFT_TO_SERVICES, macText, type Verdict } from './verdict.ts';

export interface Crossed {
  readonly verdict: Verdict;
  /** What whoever got it last has got. */
  readonly got?: Packet | undefined;
  readonly hops: readonly Hop[];
}

/** Connections stay known from one packet to the next. */
export function cross({ fabric, vms }: Hosts, { from, packet }: Sent): Crossed {
  const vm = vms.get(from);
  if (vm === undefined) return { verdict: [], hops: [] };
  const { received, hops } = fabric.send(vm, packet);
  const isBack = vm.at !== undefined || cameBack(hops);
  const verdict = received.map((got) =>
    got.vm === vm && isBack ? answeredBy(macText(got.packet.eth_src)) : deliveredTo(got.vm.id, got.packet),
  );
  const isGiven = hops.some(({ walk }) => walk.given.length > 0);
  const all = [...verdict, ...(isGiven ? [LEFT_TO_SERVICES] : [])];
  return { verdict: all.toSorted(), got: received.at(-1)?.packet, hops };
}

/** It was answered on its first switch, by the port that it came in by. */
function cameBack([first]: readonly Hop[]): boolean {
  return first?.walk.trace.some(({ table }) => table === 'back') === true;
}
