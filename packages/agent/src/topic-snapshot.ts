import { decodeWhole, wholeSubject } from '@alcor/contract';
import type { QueueBatch, QueueMessage } from '@alcor/runtime';

/**
 * What has been read of a VPC's topic from its beginning, the newest word of each subject, until it is all that there is to know: everything
 * that was there when the reading began has come, and so has everything that stood before the topic's word that it is whole. Nothing
 * of it counts before: who fills the topic may have died half way, or have left it as it was long ago.
 */
export class TopicSnapshot {
  readonly #vpcId: string;
  readonly #messages = new Map<string, QueueMessage>();
  /** The topic's last word on whether it is whole, and its position. */
  #word = { isWhole: false, position: 0 };

  constructor(vpcId: string) {
    this.#vpcId = vpcId;
  }

  /** Answers with everything, that word included, once it is whole. Throws when the word that says so cannot be read. */
  take({ messages, position, caughtUp }: QueueBatch): readonly QueueMessage[] | undefined {
    for (const message of messages) {
      if (message.subject === wholeSubject) this.#takeWord(message);
      this.#messages.delete(message.subject);
      this.#messages.set(message.subject, message);
    }
    const { isWhole, position: saidAt } = this.#word;
    return caughtUp && isWhole && position >= saidAt ? [...this.#messages.values()] : undefined;
  }

  #takeWord({ payload, position }: QueueMessage): void {
    if (position > this.#word.position) this.#word = { isWhole: decodeWhole(payload, this.#vpcId), position };
  }
}
