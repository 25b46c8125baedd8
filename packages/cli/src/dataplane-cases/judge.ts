/** Whether what the probes saw is what a case says. */
import {
  type Burst,
  type Case,
  type Exchange,
  isBurst,
  isQuestion,
  isTransfer,
  type Question,
  type Transfer,
} from './case.ts';
import type { ProbeEvent } from './probes.ts';
import type { Site, Vm } from './site.ts';

/** A case on its way: what identifies its packets. */
export interface Sent {
  readonly each: Case;
  readonly id: string;
  /** Source port; 0 where there is none. */
  readonly port: number;
}

/** Everything that was seen, by who saw it: a VM's name, or a host's id. */
export type Seen = ReadonlyMap<string, readonly ProbeEvent[]>;

const errors = {
  4: { 'ttl exceeded': [11, 0], 'no route': [3, 0], 'too large': [3, 4] },
  6: { 'ttl exceeded': [3, 0], 'no route': [1, 0], 'too large': [2, 0] },
} as const;

/** What is wrong, one line each; empty where all is as the case says. */
export function judge(site: Site, sent: Sent, seen: Seen): string[] {
  const { each } = sent;
  if (isBurst(each)) return judgeBurst(each, sent, seen);
  if (isTransfer(each)) return judgeTransfer(each, sent, seen);
  return isQuestion(each) ? judgeQuestion(site, each, sent, seen) : judgeExchange(site, each, sent, seen);
}

/** Whether something has to happen for the case, so that one waits for it. */
export function isAwaited(each: Case): boolean {
  if (isBurst(each) || isTransfer(each)) return true;
  if (isQuestion(each)) return each.told !== null;
  const { outcome } = each;
  return outcome !== 'stopped' && outcome !== 'unsent' && outcome !== 'lost';
}

/** Which answer belongs to a question. */
export function answerTo({ ask, target }: Question, id: string): string {
  if (ask === 'router') return ask;
  if (ask === 'dhcp') return `dhcp ${id.slice(0, 8)}`;
  return ask === 'dhcp6' ? `dhcp6 ${id.slice(0, 6)}` : `${ask} ${target}`;
}

/** Counted by tens, so that what is counted does not take longer than what is sent. */
function judgeBurst({ from, to, times, arrive, perSecond = 0 }: Burst, { id }: Sent, seen: Seen): string[] {
  const of = (name: string, kind: ProbeEvent['event']): ProbeEvent[] =>
    (seen.get(name) ?? []).filter(({ event, key }) => event === kind && key === id);
  const failed = of(from, 'failed').map(({ error }) => `the sender failed: ${error}`);
  const longer = Math.max(0, ...of(from, 'sent').map(({ seconds = 0 }) => seconds - 1));
  const [least, most] = [arrive[0], arrive[1] + Math.ceil(perSecond * longer)];
  const came = Math.max(0, ...of(to, 'counted').map(({ count = 0 }) => count));
  return came >= least && came <= most ? failed : [...failed, `${came} of ${times} came, not ${least} to ${most}`];
}

function judgeTransfer({ from, comes }: Transfer, { id }: Sent, seen: Seen): string[] {
  const ends = (seen.get(from) ?? []).filter(({ event, key }) => key === id && event !== 'failed');
  const [end] = ends.map(({ event }) => event);
  if (end === undefined) return ['the transfer has not ended'];
  return (end === 'fetched') === comes ? [] : [comes ? 'the file did not come' : 'the file came'];
}

function judgeQuestion(site: Site, each: Question, { id }: Sent, seen: Seen): string[] {
  const to = answerTo(each, id);
  const answers = (seen.get(each.from) ?? []).filter((event) => event.event === 'told' && event.to === to);
  if (each.told === null) return answers.map((answer) => `was told ${JSON.stringify(answer)}`);
  if (answers.length !== 1) return [`${answers.length} answers`];
  return Object.entries(each.told).flatMap(([fact, wanted]) => {
    const meant = typeof wanted === 'string' && wanted.startsWith('@') ? site.vm(wanted.slice(1)).mac : wanted;
    const told = (answers[0] as unknown as Record<string, unknown>)[fact];
    return JSON.stringify(told) === JSON.stringify(meant)
      ? []
      : [`${fact} is ${JSON.stringify(told)}, not ${JSON.stringify(meant)}`];
  });
}

function judgeExchange(site: Site, each: Exchange, { id, port }: Sent, seen: Seen): string[] {
  const { outcome } = each;
  const keys = new Set(each.traffic.startsWith('tcp') && each.on === undefined ? [id, `t${port}`] : [id]);
  const by = (name: string, event: ProbeEvent['event']): ProbeEvent[] =>
    (seen.get(name) ?? []).filter((one) => one.event === event && keys.has(one.key));
  const reached = outcome === 'answered' || outcome === 'received';
  const failed = by(each.from, 'failed').map(({ error }) => `the sender failed: ${error}`);
  return [
    ...(reached ? failed : []),
    ...judgeSender(each, by),
    ...[...site.vms.values()].flatMap((vm) => judgeReceiver(each, vm, by, reached && each.to.includes(vm.name))),
    ...judgeTunnels(site, each, by),
  ];
}

type By = (name: string, event: ProbeEvent['event']) => ProbeEvent[];

function judgeSender({ from, family, outcome }: Exchange, by: By): string[] {
  const sent = by(from, 'sent').length > 0;
  const answered = by(from, 'answered').length;
  const complaints = by(from, 'error');
  if (outcome === 'unsent') return sent ? ['it left the sender'] : [];
  const wrong = sent || outcome === 'lost' ? [] : ['it did not leave the sender'];
  if (outcome === 'answered' && answered === 0) wrong.push('no answer came back');
  if (outcome !== 'answered' && answered > 0) wrong.push('an answer came back');
  if (typeof outcome === 'object') {
    const [type, code] = errors[family][outcome.error];
    const mtu = outcome.error === 'too large' ? outcome.mtu : undefined;
    const isIt = (one: ProbeEvent): boolean => one.type === type && one.code === code && one.source === outcome.from;
    if (!complaints.some((one) => isIt(one) && (mtu === undefined || one.mtu === mtu)))
      wrong.push(`no such error came back${complaints.length > 0 ? ` but ${JSON.stringify(complaints)}` : ''}`);
  } else if (complaints.length > 0) wrong.push(`an error came back: ${JSON.stringify(complaints)}`);
  return wrong;
}

function judgeReceiver(each: Exchange, { name }: Vm, by: By, wanted: boolean): string[] {
  const frames = by(name, 'seen');
  if (!wanted) return frames.length > 0 ? [`${name} saw it`] : [];
  if (frames.length === 0) return [`${name} did not see it`];
  const wrong = by(name, 'received').length === 0 ? [`no socket of ${name} got it`] : [];
  const hops = (each.ttl ?? (isMulticast(each.address ?? '') ? 1 : 64)) - (each.hops ?? 0);
  if (frames[0]!.ttl !== hops) wrong.push(`${name} got it with ${frames[0]!.ttl} hops to live, not ${hops}`);
  if (each.seenFrom !== undefined && frames[0]!.source !== each.seenFrom)
    wrong.push(`${name} saw it come from ${frames[0]!.source}, not ${each.seenFrom}`);
  const marks = [...frames.slice(0, 1), ...by(name, 'received')].flatMap(({ dscp }) => dscp ?? []);
  for (const mark of new Set(marks))
    if (mark !== (each.dscp ?? 0)) wrong.push(`${name} got it with the mark ${mark}, not ${each.dscp ?? 0}`);
  if (!each.traffic.startsWith('tcp') && frames.length > 1) wrong.push(`${name} got it ${frames.length} times`);
  return wrong;
}

/** A group's address, not a machine's. */
export function isMulticast(address: string): boolean {
  return /^(22[4-9]|23\d)\.|^ff/.test(address);
}

/** Once in the tunnel to each host of a receiver but the sender's own, in the receiver's network, and in no other tunnel. */
function judgeTunnels(site: Site, each: Exchange, by: By): string[] {
  const sender = site.vm(each.from);
  const crossed = site.hosts.flatMap((host) => by(host.id, 'crossed').map((event) => ({ ...event, host: host.id })));
  if (each.crosses !== undefined) return judgeWay(site, each, each.crosses, crossed);
  if (each.outcome === 'stopped' && each.ends !== 'here')
    return each.ends === 'there' && crossed.length === 0 ? ['it did not cross'] : [];
  const reached = each.outcome === 'answered' || each.outcome === 'received';
  const receivers = reached ? each.to.map((name) => site.vm(name)) : [];
  const wanted = new Set(receivers.flatMap(({ host }) => (host === sender.host ? [] : [host.ip])));
  const network = each.within === undefined ? receivers[0]?.network : site.networks.get(each.within);
  const wrong = crossed
    .filter(({ host, to = '', vni }) => host !== sender.host.id || !wanted.has(to) || vni !== network?.vni)
    .map(({ host, to, vni }) => `crossed from ${host} to ${to} in VNI ${vni}`);
  for (const ip of wanted) {
    const times = crossed.filter(({ to }) => to === ip).length;
    if (times === 0) wrong.push(`did not cross to ${ip}`);
    if (times > 1 && !each.traffic.startsWith('tcp')) wrong.push(`crossed to ${ip} ${times} times`);
  }
  return wrong;
}

/** Once between each of these pairs of hosts, and between no others. */
function judgeWay(
  site: Site,
  each: Exchange,
  wanted: NonNullable<Exchange['crosses']>,
  crossed: readonly (ProbeEvent & { readonly host: string })[],
): string[] {
  const meant = wanted.map(({ from, to }) => `from ${site.hosts[from - 1]!.id} to ${site.hosts[to - 1]!.ip}`);
  const seen = crossed.map(({ host, to }) => `from ${host} to ${to}`);
  const once = each.traffic.startsWith('tcp') ? [...new Set(seen)] : seen;
  return once.join() === meant.join()
    ? []
    : [`crossed ${once.join(' and ') || 'nowhere'}, not ${meant.join(' and ') || 'nowhere'}`];
}
