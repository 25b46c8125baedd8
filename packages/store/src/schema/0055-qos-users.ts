/** Networks and ports refer to the policy that is theirs. */
export const qosUsersSchema = `
alter table networks add column qos_policy_id uuid constraint networks_qos_policy_fkey references qos_policies;
create index networks_qos_policy on networks (qos_policy_id) where qos_policy_id is not null;
alter table ports add column qos_policy_id uuid constraint ports_qos_policy_fkey references qos_policies;
create index ports_qos_policy on ports (qos_policy_id) where qos_policy_id is not null;
`;
