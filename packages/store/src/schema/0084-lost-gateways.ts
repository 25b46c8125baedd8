/** Which gateway hosts do not answer their controller. */
export const lostGatewaySchema = `
alter table nodes add column lost boolean not null default false;
`;
