import { HostRequest_ResourceStateRequest as Question, type NeighborConfiguration, RequestType } from '@alcor/contract';
import { Interest } from './interest.ts';
import { afterApplied, type Learner } from './learner.ts';
import { type NeighborChange, type RemoteGroups, VpcDirectory } from './vpc-directory.ts';

/** Has whoever else speaks for the host with this underlay address acquaint it, and calls `done` then, or soon. */
export type Introduce = (hostIp: string, question: Question, done: () => void) => void;

/** Of one VPC; beyond that a host forgets what it learnt first. */
const learntByHostAtMost = 100_000;

export interface ToldVpcOptions {
  readonly vpcId: string;
  /** Of all VPCs. */
  readonly remoteGroups: RemoteGroups;
  /** Counts neighbours held, summed over hosts and VPCs. */
  readonly learnt: { size: number };
  readonly introduce: Introduce | undefined;
}

/**
 * One VPC that is told on demand: who is in it, which hosts are told of it, and what each of them holds.
 *
 * Two hosts of which one learns a port of the other are acquainted from then on: each is told all ports of the other that are members of a group
 * that rules name as remote. For what one port has asked for all ports of its host can use without a question, and the host at the
 * other end has to know whether to let them in.
 */
export class ToldVpc {
  readonly directory: VpcDirectory;
  readonly interest: Interest;
  /** By underlay address: the hosts that are told of this VPC on demand. */
  readonly learners = new Map<string, Learner>();
  readonly #remoteGroups: RemoteGroups;
  readonly #introduceElsewhere: Introduce | undefined;

  constructor({ vpcId, remoteGroups, learnt, introduce }: ToldVpcOptions) {
    this.directory = new VpcDirectory(vpcId, remoteGroups);
    this.interest = new Interest(learnt);
    this.#remoteGroups = remoteGroups;
    this.#introduceElsewhere = introduce;
  }

  /** Tells a neighbour's change to those who hold it, and to those whom it concerns from now on. */
  spread({ before, after }: NeighborChange): void {
    const { interest, learners } = this;
    const neighbor = after ?? before;
    if (neighbor === undefined) return;
    const holders = interest.holders(neighbor.id);
    for (const host of holders) {
      const learner = learners.get(host);
      if (learner !== undefined) this.#say(learner, neighbor, 'now', after === undefined ? 'removed' : undefined);
    }
    if (after === undefined) interest.removeNeighbor(neighbor.id);
    else {
      const hasMoved = before !== undefined && before.hostIpAddress !== after.hostIpAddress;
      if (hasMoved) for (const host of holders) this.acquaint(host, after.hostIpAddress);
      if (this.#remoteGroups.has(after)) {
        for (const host of interest.acquaintances(after.hostIpAddress)) this.tell(host, after);
      }
    }
    if (before !== undefined) this.forgetHost(before.hostIpAddress);
  }

  /** Has the host hold the neighbour, if it is told on demand. */
  tell(hostIp: string, neighbor: NeighborConfiguration, how: 'now' | 'soon' | 'again' = 'now'): void {
    const learner = this.learners.get(hostIp);
    if (learner === undefined) return;
    const isNew = this.interest.add(hostIp, neighbor.id);
    if (isNew || how === 'again') this.#say(learner, neighbor, how === 'soon' ? 'soon' : 'now');
    if (isNew && this.interest.held(hostIp).size > learntByHostAtMost) this.#forgetFirst(hostIp);
  }

  #forgetFirst(hostIp: string): void {
    const [first = ''] = this.interest.held(hostIp);
    const neighbor = this.directory.neighbor(first);
    if (neighbor === undefined) this.interest.remove(hostIp, first);
    else this.part(hostIp, neighbor.hostIpAddress);
  }

  /**
   * What the one learns it may use at once; by then the other has to know whom to let in, so that one is told first. True: another process is
   * to tell it, and `done` is called then.
   */
  acquaint(one: string, other: string, done?: () => void): boolean {
    if (one === other || one === '' || other === '' || !this.interest.acquaint(one, other)) return false;
    const hasToLearn = this.tellMembers(other, one);
    const goOn = (): void => {
      if (this.interest.acquaintances(one).has(other)) this.tellMembers(one, other);
    };
    const isElsewhere = this.#introduce(other, one, () => {
      goOn();
      done?.();
    });
    // To wait costs a timer, and a message of what could have gone with others.
    if (!isElsewhere) {
      if (hasToLearn) afterApplied(this.learners.get(other), goOn);
      else goOn();
    }
    this.#introduce(one, other, () => undefined);
    return isElsewhere && done !== undefined;
  }

  /** Where a host is told from elsewhere, whoever does so hears that it is to know another one: true, and `done` is called when it has, or soon. */
  #introduce(stranger: string, to: string, done: () => void): boolean {
    const { directory } = this;
    const introduce = this.#introduceElsewhere;
    const [member] = directory.membersOn(to);
    const destinationIp = member?.fixedIps[0]?.ipAddress;
    if (introduce === undefined || destinationIp === undefined || this.learners.has(stranger)) return false;
    const tunnelId = directory.vpc?.tunnelId ?? 0;
    const question = Question.fromPartial({ requestType: RequestType.INTRODUCTION, tunnelId, destinationIp });
    introduce(stranger, question, done);
    return true;
  }

  /** A gateway host sends to whom it likes without a question, so every host has to know whom to let in from there. */
  meetGateways(hostIp: string): void {
    for (const gateway of this.directory.gateways) {
      if (gateway !== hostIp && this.interest.acquaint(hostIp, gateway)) this.tellMembers(hostIp, gateway);
    }
  }

  /** Has the one host know all ports of the other that rules ask about; false: there are none, or the host is not told from here. */
  tellMembers(to: string, of: string): boolean {
    if (!this.learners.has(to)) return false;
    const members = this.directory.membersOn(of);
    for (const member of members) this.tell(to, member);
    return members.length > 0;
  }

  /** Neither holds anything of the other any more. */
  part(one: string, other: string): void {
    this.interest.part(one, other);
    this.takeBack(one, this.directory.on(other));
    this.takeBack(other, this.directory.on(one));
  }

  takeBack(from: string, ids: Iterable<string>): void {
    const learner = this.learners.get(from);
    for (const id of ids) {
      const neighbor = this.directory.neighbor(id);
      const held = this.interest.remove(from, id);
      if (held && neighbor !== undefined && learner !== undefined) this.#say(learner, neighbor, 'now', 'removed');
    }
  }

  /** Whom nobody can send to, and who asks for nothing, need not be known to anyone. */
  forgetHost(hostIp: string): void {
    const { directory, interest, learners } = this;
    if (directory.on(hostIp).size > 0 || learners.has(hostIp) || directory.gateways.includes(hostIp)) return;
    for (const other of interest.acquaintances(hostIp)) interest.part(hostIp, other);
  }

  /** A rule names a group that none had named: the ports in it are to be known where they send to. */
  tellNewMembers(): void {
    for (const host of this.learners.keys()) {
      for (const other of this.interest.acquaintances(host)) this.tellMembers(host, other);
    }
  }

  #say(learner: Learner, state: NeighborConfiguration, when: 'now' | 'soon', removed?: 'removed'): void {
    const { vpcId } = this.directory;
    learner.learn(vpcId, { goal: { kind: 'neighbor', state }, removed: removed !== undefined }, when);
  }
}
