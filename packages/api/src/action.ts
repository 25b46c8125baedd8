import type { Caller } from '@alcor/identity';
import type { IntentStore } from '@alcor/network';
import type { HostQuestions } from './host-questions.ts';
import type { Kind } from './kinds.ts';

type Members = Readonly<Record<string, Kind<unknown>>>;
type ValueOf<K> = K extends Kind<infer T> ? T : never;
type Values<R extends Members, O extends Members> = { readonly [N in keyof R]: ValueOf<R[N]> } & {
  readonly [N in keyof O]?: ValueOf<O[N]>;
};

/** What an action is given: the resource exists and the caller may see it. */
export interface ActionRequest<Body> {
  readonly store: IntentStore;
  readonly hosts: HostQuestions;
  readonly caller: Caller;
  readonly id: string;
  readonly body: Body;
  readonly ifRevision?: number | undefined;
}

/** Something that can be done with one resource besides reading, changing and deleting it. */
export interface Action {
  readonly about: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** The key that the body's attributes stand under; null: the body is they. */
  readonly root: string | null;
  /** What the body must and may hold, and nothing else. A GET has none. */
  readonly required: Members;
  readonly optional: Members;
  /**
   * What `run` gives. `view`: the resource, written like any answer. `bare`: the same without the key around it. `json`: the body of
   * the answer as it is.
   */
  readonly answers: 'view' | 'bare' | 'json';
  readonly status: 200 | 201 | 204;
  readonly run: (request: ActionRequest<never>) => Promise<object | undefined>;
}

interface ActionParts<R extends Members, O extends Members> {
  readonly about: string;
  /** Default: PUT. */
  readonly method?: Action['method'];
  /** Default: null. */
  readonly root?: string;
  readonly required?: R;
  readonly optional?: O;
  /** Default: `json`. */
  readonly answers?: Action['answers'];
  /** Default: 200. */
  readonly status?: Action['status'];
  readonly run: (request: ActionRequest<Values<R, O>>) => Promise<object | undefined>;
}

/** States an action; `run` is checked against the kinds of the body's attributes. */
export function action<const R extends Members = Members, const O extends Members = Members>(
  parts: ActionParts<R, O>,
): Action {
  return {
    method: 'PUT',
    root: null,
    required: {},
    optional: {},
    answers: 'json',
    status: 200,
    ...parts,
  } as Action;
}
