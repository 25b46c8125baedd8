/** Flavors of services, and the profiles that say how each is provided. */
export const flavorSchema = `
create table flavors (
  id uuid primary key,
  name text not null,
  description text not null,
  service_type text not null,
  enabled boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index flavors_name on flavors (name);

create table service_profiles (
  id uuid primary key,
  description text not null,
  driver text not null,
  metainfo text not null,
  enabled boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table flavor_service_profiles (
  id uuid primary key,
  flavor_id uuid not null constraint flavor_service_profiles_flavor_fkey references flavors on delete cascade,
  service_profile_id uuid not null constraint flavor_service_profiles_profile_fkey references service_profiles,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint flavor_service_profiles_key unique (flavor_id, service_profile_id)
);
create index flavor_service_profiles_profile on flavor_service_profiles (service_profile_id);
`;
