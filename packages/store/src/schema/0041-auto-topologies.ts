/** The network and the router that were made for a project that asked for no more; forgotten when either goes. */
export const autoTopologiesSchema = `
create table auto_topologies (
  project_id text constraint auto_topologies_pkey primary key,
  network_id uuid not null constraint auto_topologies_network_fkey references networks on delete cascade,
  router_id uuid not null constraint auto_topologies_router_fkey references routers on delete cascade
);
create index auto_topologies_network on auto_topologies (network_id);
create index auto_topologies_router on auto_topologies (router_id);
`;
