/** Which nodes forward first packets of networks that are told on demand. */
export const gatewayHostSchema = `
alter table nodes add column gateway boolean not null default false;
`;
