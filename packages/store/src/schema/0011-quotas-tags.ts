/** Limits by project; those of the project '' are the defaults. Labels by the id of what they are on. */
export const quotaSchema = `
create table quotas (
  project_id text not null,
  resource text not null,
  "limit" integer not null,
  constraint quotas_pkey primary key (project_id, resource)
);
create table tags (
  object_id uuid not null,
  tag text not null,
  constraint tags_pkey primary key (object_id, tag)
);
create index tags_tag on tags (tag, object_id);
`;
