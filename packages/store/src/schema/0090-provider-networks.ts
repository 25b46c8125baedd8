/** Networks that lie on a physical network, and to which of them each host has a bridge. */
export const providerNetworkSchema = `
alter table networks add column network_type text not null default 'vxlan'
  constraint networks_type check (network_type in ('vxlan', 'flat', 'vlan'));
alter table networks add column physical_network text;
alter table networks add column vlan integer constraint networks_vlan check (vlan between 1 and 4094);
alter table networks add constraint networks_segment check (
  (physical_network is null) = (network_type = 'vxlan') and (vlan is not null) = (network_type = 'vlan'));
create unique index networks_flat_key on networks (physical_network) where network_type = 'flat';
create unique index networks_vlan_key on networks (physical_network, vlan) where network_type = 'vlan';
alter table nodes add column bridge_mappings jsonb not null default '{}';
`;
