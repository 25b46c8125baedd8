/** How a trunk stands follows from how its ports do. */
export const trunkStatusSchema = `
alter table trunks drop column status
`;
