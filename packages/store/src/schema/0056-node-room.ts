/** Whether ports may be bound to a node, and how many. */
export const nodeRoomSchema = `
alter table nodes add column draining boolean not null default false;
alter table nodes add column max_ports integer constraint nodes_max_ports check (max_ports >= 0);
`;
