import type { Queryable } from '../database.ts';
import type { Json } from '../json-shape.ts';
import type { TokenState } from '../tokens.ts';

/** The body of an answer about a token. */
export function tokenBody(state: TokenState, catalog: readonly Json[] | undefined): Json {
  const { scope, project, domain } = state;
  return {
    token: {
      methods: state.methods,
      user: { ...state.user, password_expires_at: null },
      audit_ids: state.auditIds,
      expires_at: instant(state.expiresAt),
      issued_at: instant(state.issuedAt),
      ...(project === undefined ? {} : { project, is_domain: false }),
      ...(domain === undefined ? {} : { domain }),
      ...(scope.kind === 'system' ? { system: { all: true } } : {}),
      ...(scope.kind === 'unscoped' ? {} : { roles: state.roles }),
      ...(scope.kind === 'unscoped' || catalog === undefined ? {} : { catalog }),
    },
  };
}

/** With the six decimals that Keystone's clients parse. */
function instant(at: Date): string {
  return at.toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
}

interface CatalogRow {
  readonly id: string;
  readonly type: string;
  readonly name: string | null;
  readonly endpoints: readonly Json[];
}

/** The services that are enabled and where they are; placeholders in the addresses are filled in for the token's project. */
export async function catalogOf(db: Queryable, { project, user }: TokenState): Promise<readonly Json[]> {
  const rows = await db.query<CatalogRow>(
    `select s.id, s.type, s.name, coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'interface', e.interface,
       'url', e.url, 'region_id', e.region_id, 'region', e.region_id) order by e.id) filter (where e.id is not null), '[]') as endpoints
     from identity.services s left join identity.endpoints e on e.service_id = s.id and e.enabled
     where s.enabled group by s.id order by s.type, s.id`,
  );
  const filled = (url: string): string =>
    url
      .replaceAll(/\$\((?:project|tenant)_id\)s|%\((?:project|tenant)_id\)s/g, () => project?.id ?? '')
      .replaceAll(/\$\(user_id\)s|%\(user_id\)s/g, () => user.id);
  return rows.map(({ id, type, name, endpoints }) => ({
    id,
    type,
    name: name ?? '',
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, url: filled(String(endpoint['url'])) })),
  }));
}
