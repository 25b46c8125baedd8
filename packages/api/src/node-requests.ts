import type { Caller } from '@alcor/identity';
import {
  AlcorError,
  type CreateNode,
  type IntentStore,
  type NodeId,
  type NodeView,
  type UpdateNode,
} from '@alcor/network';
import { readCreate, readUpdate } from './body.ts';
import { node } from './definitions/node.ts';
import { find } from './finder.ts';
import { judge, judgeCreate, judgeUpdate } from './judge.ts';
import { type PolicyOverrides, policyOf } from './policy.ts';

/** What can be asked of nodes by other ways than HTTP: the same checks and the same policy. Attributes are named and spelt as in HTTP. */
export interface NodeRequests {
  /** Makes the node, or brings what is known of it into line. */
  register(caller: Caller, attributes: Attributes): Promise<NodeView>;
  change(caller: Caller, attributes: Attributes): Promise<NodeView>;
  heartbeat(caller: Caller, id: string): Promise<NodeView>;
}

type Attributes = Readonly<Record<string, unknown>> & { readonly id: string };

export function nodeRequests(store: IntentStore, overrides: PolicyOverrides): NodeRequests {
  const policy = policyOf(node, overrides);
  const caseOf = (caller: Caller) => ({ definition: node, policy, store, caller });

  const create = async (caller: Caller, attributes: Attributes): Promise<NodeView> => {
    const { wishes } = readCreate(node, { node: attributes }, { caller, maxItems: 1 });
    await judgeCreate(caseOf(caller), wishes, undefined);
    const [view] = await store.nodes.create(wishes.map(({ input }) => input as unknown as CreateNode));
    if (view === undefined) throw node.notFound(attributes.id);
    return view;
  };

  const change = async (caller: Caller, { id, ...attributes }: Attributes): Promise<NodeView> => {
    const wish = readUpdate(node, { node: attributes });
    const located = await find(node, store, caller, { id });
    await judgeUpdate(caseOf(caller), wish, located);
    return store.nodes.update(located.view.id as NodeId, wish.input as UpdateNode);
  };

  const isThere = async (id: string): Promise<boolean> =>
    (await store.nodes.list({ filter: { id: [id as NodeId] } })).rows.length > 0;

  return {
    change,
    async register(caller, attributes) {
      if (await isThere(attributes.id)) return change(caller, attributes);
      return create(caller, attributes).catch(async (error: unknown) => {
        const isTaken = error instanceof AlcorError && error.code === 'NodeExists';
        // Registered by somebody else meanwhile: then as if it had been there.
        if (isTaken && (await isThere(attributes.id))) return change(caller, attributes);
        throw error;
      });
    },
    async heartbeat(caller, id) {
      const located = await find(node, store, caller, { id });
      await judge(caseOf(caller), { action: 'heartbeat' }, located);
      await store.agents.heard([located.view.id as NodeId]);
      return store.nodes.get(located.view.id as NodeId);
    },
  };
}
