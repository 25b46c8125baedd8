/** Everything that a project owns and describes. */
const labelled = [
  'address_groups',
  'address_scopes',
  'floating_ips',
  'metering_labels',
  'network_acl_rules',
  'network_acls',
  'network_segment_ranges',
  'networks',
  'ports',
  'qos_policies',
  'routers',
  'security_group_rules',
  'security_groups',
  'subnet_pools',
  'subnets',
  'trunks',
];

/** The statement that has the labels of a table's rows go with them. */
export const tagsGoWith = (table: string): string => `create trigger ${table}_tags after delete on ${table}
  referencing old table as gone for each statement execute function drop_tags();`;

/** Labels go with what they are on, whatever deletes it: some rows go with others. */
export const tagsGoSchema = `
create function drop_tags() returns trigger language plpgsql as
  'begin delete from tags where object_id in (select id from gone); return null; end';
${labelled.map(tagsGoWith).join('\n')}
`;
