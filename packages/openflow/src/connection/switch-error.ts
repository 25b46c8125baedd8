import { OpenFlowError } from '../errors.ts';
import type { ErrorMessage, Message } from '../messages/types.ts';

/** The switch refused a message: what it said, and what it refused (where that is still known). */
export class SwitchError extends OpenFlowError {
  override readonly name = 'SwitchError';
  /** As in the specification or in Open vSwitch, e.g. `OFPBAC_BAD_OUT_PORT`. */
  readonly errorName: string;
  readonly answer: ErrorMessage;
  readonly request: Message | undefined;

  constructor(answer: ErrorMessage, request: Message | undefined) {
    super('refused', `${answer.errorName}${request === undefined ? '' : ` for ${request.type}`}`);
    this.errorName = answer.errorName;
    this.answer = answer;
    this.request = request;
  }
}
