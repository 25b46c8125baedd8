/** How the goals of VPCs travel, and which process does which share of the work. */
export const deliverySchema = `
create table vpc_channels (
  id uuid constraint vpc_channels_pkey primary key
    constraint vpc_channels_network_fkey references networks on delete cascade,
  channel text not null,
  override text,
  revision integer not null
);

create table lease_holders (
  name text constraint lease_holders_pkey primary key,
  life integer not null,
  alive_until timestamptz not null
);
create table leases (
  id text constraint leases_pkey primary key,
  holder text not null,
  life integer not null,
  revision integer not null,
  held_until timestamptz not null
);
`;
