import { addGoal, emptyGoalState, type Goal, type GoalStateV2, type StatedGoal } from '@alcor/contract';
import type { Bus, Subscription, Topic } from '@alcor/runtime';

const goalsPerMessage = 1_000;

interface Reading {
  readonly topic: Topic<Goal>;
  readonly subscription: Subscription;
}

/**
 * Reads what one host must know out of the topics and packs it into messages: its own topic, and the topic of every VPC that one
 * of its ports is in. Holds positions, not goals, so a host costs what it has ports, whatever the size of its VPCs.
 *
 * Host and manager agree without words on which VPCs the host is in, because both count ports after each whole message.
 */
export class HostGoals {
  readonly #goals: Bus<Goal>;
  readonly #wake: () => void;
  readonly #own: Reading;
  readonly #vpcs = new Map<string, Reading>();
  /** VPC of every port that the host has been told of. */
  readonly #ports = new Map<string, string>();
  readonly #portsIn = new Map<string, number>();
  #complete = false;

  constructor(hostId: string, goals: Bus<Goal>, wake: () => void) {
    this.#goals = goals;
    this.#wake = wake;
    this.#own = this.#read(`host/${hostId}`);
  }

  get vpcs(): number {
    return this.#vpcs.size;
  }

  get ports(): number {
    return this.#ports.size;
  }

  /** The next message, or undefined when the host has been told everything; `wake` is called when there is more. */
  next(): GoalStateV2 | undefined {
    const message = emptyGoalState();
    let room = this.#take(this.#own, message, goalsPerMessage, (stated) => this.#notePort(stated));
    this.#join();
    for (const reading of this.#vpcs.values()) if (room > 0) room = this.#take(reading, message, room);
    const completes = !this.#complete && this.#caughtUp();
    if (room === goalsPerMessage && !completes) return undefined;
    if (completes) this.#complete = message.complete = true;
    return message;
  }

  close(): void {
    for (const { subscription } of [this.#own, ...this.#vpcs.values()]) subscription.close();
  }

  #read(name: string): Reading {
    const topic = this.#goals.topic(name);
    return { topic, subscription: topic.subscribe(this.#wake) };
  }

  /** Returns the room left in the message. */
  #take(reading: Reading, message: GoalStateV2, room: number, note?: (stated: StatedGoal) => void): number {
    const entries = reading.topic.after(reading.subscription.position, room);
    for (const { value: goal, removed, position } of entries) {
      addGoal(message, { goal, removed });
      note?.({ goal, removed });
      reading.subscription.position = position;
    }
    return room - entries.length;
  }

  #notePort({ goal, removed }: StatedGoal): void {
    if (goal.kind !== 'port') return;
    const { id, vpcId } = goal.state;
    const known = this.#ports.get(id);
    if (known !== undefined) this.#count(known, -1);
    if (removed) this.#ports.delete(id);
    else {
      this.#ports.set(id, vpcId);
      this.#count(vpcId, 1);
    }
  }

  #count(vpcId: string, by: number): void {
    this.#portsIn.set(vpcId, (this.#portsIn.get(vpcId) ?? 0) + by);
  }

  /** Starts and stops reading VPCs as ports came and went. */
  #join(): void {
    for (const [vpcId, ports] of this.#portsIn) {
      const reading = this.#vpcs.get(vpcId);
      if (ports > 0 && reading === undefined) this.#vpcs.set(vpcId, this.#read(`vpc/${vpcId}`));
      if (ports > 0) continue;
      reading?.subscription.close();
      this.#vpcs.delete(vpcId);
      this.#portsIn.delete(vpcId);
    }
  }

  #caughtUp(): boolean {
    const all = [this.#own, ...this.#vpcs.values()];
    return all.every(({ topic, subscription }) => subscription.position === topic.position);
  }
}
