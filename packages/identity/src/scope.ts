/** What a token or a role is for. */
export type Scope =
  | { readonly kind: 'unscoped' }
  | { readonly kind: 'system' }
  | { readonly kind: 'project'; readonly id: string }
  | { readonly kind: 'domain'; readonly id: string };

/** What roles can be granted on. */
export type Target = Exclude<Scope, { readonly kind: 'unscoped' }>;

/** Who roles can be granted to. */
export interface Actor {
  readonly kind: 'user' | 'group';
  readonly id: string;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** The id in the scope, for the column of its kind. */
export function idIn(scope: Scope, kind: 'project' | 'domain'): string | null {
  return scope.kind === kind ? scope.id : null;
}
