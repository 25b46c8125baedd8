import { type Goal, goalVpc, isShare, unicastSubject } from '@alcor/contract';
import { type Bus, Topic } from '@alcor/runtime';

/** A goal for one of a VPC's hosts. */
export interface HostGoal {
  readonly hostId: string;
  readonly goal: Goal;
}

interface Open {
  readonly topic: Topic<HostGoal>;
  users: number;
}

/**
 * What single hosts must know, by VPC: a topic for as long as somebody says it in the message queue, with the subjects there for keys. Of other VPCs
 * only the hosts are remembered, because their topics `host/ID` have it all.
 */
export class UnicastGoals {
  readonly #goals: Bus<Goal>;
  /** Of each VPC, how many such goals each of its hosts has. */
  readonly #hosts = new Map<string, Map<string, number>>();
  readonly #open = new Map<string, Open>();

  constructor(goals: Bus<Goal>) {
    this.#goals = goals;
  }

  /** Publishes to one host what only it must know, under `key` in its topic, or takes it away. */
  publish(hostId: string, key: string, goal: Goal, removed: boolean): void {
    const topic = this.#goals.topic(`host/${hostId}`);
    const vpcId = goalVpc(goal);
    const before = topic.size;
    say(topic, key, goal, removed);
    if (topic.size !== before) this.#count(vpcId, hostId, topic.size - before);
    const open = this.#open.get(vpcId);
    if (open !== undefined) say(open.topic, unicastSubject(hostId, goal), { hostId, goal }, removed);
  }

  /** The VPC's topic, kept until it is closed as often as opened. Costs what the VPC's hosts have of their own, when it was not open. */
  open(vpcId: string): Topic<HostGoal> {
    let open = this.#open.get(vpcId);
    if (open === undefined) this.#open.set(vpcId, (open = { topic: this.#gather(vpcId), users: 0 }));
    open.users++;
    return open.topic;
  }

  close(vpcId: string): void {
    const open = this.#open.get(vpcId);
    if (open !== undefined && --open.users === 0) this.#open.delete(vpcId);
  }

  #gather(vpcId: string): Topic<HostGoal> {
    const topic = new Topic<HostGoal>();
    for (const hostId of this.#hosts.get(vpcId)?.keys() ?? []) {
      for (const { value: goal, removed } of this.#goals.topic(`host/${hostId}`).after(0, Number.POSITIVE_INFINITY)) {
        if (!removed && !isShare(goal) && goalVpc(goal) === vpcId)
          topic.put(unicastSubject(hostId, goal), { hostId, goal });
      }
    }
    return topic;
  }

  #count(vpcId: string, hostId: string, more: number): void {
    const hosts = this.#hosts.get(vpcId) ?? new Map<string, number>();
    const count = (hosts.get(hostId) ?? 0) + more;
    if (count > 0) this.#hosts.set(vpcId, hosts.set(hostId, count));
    else hosts.delete(hostId);
    if (hosts.size === 0) this.#hosts.delete(vpcId);
  }
}

function say<V>(topic: Topic<V>, key: string, value: V, removed: boolean): void {
  if (removed) topic.remove(key, value);
  else topic.put(key, value);
}
