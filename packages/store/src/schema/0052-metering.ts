/** Metering labels, and the addresses whose traffic each counts. */
export const meteringSchema = `
create table metering_labels (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  shared boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index metering_labels_project on metering_labels (project_id, id);
create index metering_labels_name on metering_labels (name);

create table metering_label_rules (
  id uuid primary key,
  label_id uuid not null constraint metering_label_rules_label_fkey references metering_labels on delete cascade,
  direction text not null,
  excluded boolean not null,
  remote_ip_prefix cidr,
  source_ip_prefix cidr,
  destination_ip_prefix cidr,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index metering_label_rules_label on metering_label_rules (label_id, id);
`;
