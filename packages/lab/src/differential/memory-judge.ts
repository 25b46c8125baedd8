/** What the switches in memory make of a packet. */
import type { Hop } from '@alcor/agent';
import type { Hosts } from './hosts.ts';
import type { Sent } from './random-packet.ts';
import { answeredBy, deliveredTo, LEFT_TO_SERVICES, macText, type Verdict } from './verdict.ts';

export interface Crossed {
  readonly verdict: Verdict;
  readonly hops: readonly Hop[];
}

/** Connections stay known from one packet to the next. */
export function cross({ fabric, vms, hosts }: Hosts, { from, packet }: Sent): Crossed {
  const vm = vms.get(from);
  if (vm === undefined) return { verdict: [], hops: [] };
  const { received, hops } = fabric.send(vm, packet);
  const verdict = received.map((got) =>
    got.vm === vm && isBack(hops, hosts.find(({ ip }) => ip === vm.host)!.memory.plugged(from)!.ofport)
      ? answeredBy(macText(got.packet.eth_src))
      : deliveredTo(got.vm.id, got.packet),
  );
  const isGiven = hops.some(({ walk }) => walk.given.length > 0);
  return { verdict: [...verdict, ...(isGiven ? [LEFT_TO_SERVICES] : [])].toSorted(), hops };
}

/** It came out by the port that it came in by, on its first switch. */
function isBack([first]: readonly Hop[], ofport: number): boolean {
  return first !== undefined && first.inPort === ofport && first.walk.outputs.some(({ port }) => port === ofport);
}
