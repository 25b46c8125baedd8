/** Where whoever holds a lease is reached by the others. */
export const leaseAddressSchema = `
alter table leases add column address text not null default '';
`;
