import type { OpenFlowError } from '../errors.ts';
import type { FlowRemoved, NxtPacketIn2, PacketIn, PortStatus } from '../messages/types.ts';
import type { Unsubscribe } from './types.ts';

/** Those who want to hear of one kind of event. */
export type Listeners<T> = {
  readonly add: (listener: (event: T) => void) => Unsubscribe;
  readonly emit: (event: T) => void;
};

function listeners<T>(): Listeners<T> {
  // Entries of their own, so that one function can listen twice and stop once.
  const all = new Set<{ readonly listener: (event: T) => void }>();
  return {
    add: (listener) => {
      const entry = { listener };
      all.add(entry);
      return () => void all.delete(entry);
    },
    emit: (event) => {
      for (const { listener } of all) listener(event);
    },
  };
}

/** Everything a connection tells without being asked. */
export type Events = {
  readonly packetIn: Listeners<PacketIn | NxtPacketIn2>;
  readonly portStatus: Listeners<PortStatus>;
  readonly flowRemoved: Listeners<FlowRemoved>;
  readonly error: Listeners<OpenFlowError>;
};

export function eventListeners(): Events {
  return { packetIn: listeners(), portStatus: listeners(), flowRemoved: listeners(), error: listeners() };
}
