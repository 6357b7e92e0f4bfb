/** The operations on the looks of the pages, and on the documents that they link to. */
import { missingParameter } from '../../core/errors.ts'
import type { Operations } from '../context.ts'
import { type PageBinding, readPage, writePage } from '../pages.ts'
import { getPool, inPool } from '../user-pools/pool.ts'
import {
  createBranding,
  deleteBranding,
  getBranding,
  getBrandingByClient,
  presentBranding,
  updateBranding,
} from './branding.ts'
import {
  createTerms,
  deleteTerms,
  getTerms,
  getTermsByClient,
  listTerms,
  presentTerms,
  presentTermsInList,
  updateTerms,
} from './terms.ts'
import { getUiCustomization, setUiCustomization } from './ui-customization.ts'

export const managedLoginOperations = {
  GetUICustomization: inPool(async (ctx, pool, input) => ({
    UICustomization: await getUiCustomization(ctx, pool, input.ClientId),
  })),

  SetUICustomization: inPool(async (ctx, pool, input) => ({
    UICustomization: await setUiCustomization(ctx, pool, input),
  })),

  CreateManagedLoginBranding: inPool(async (ctx, pool, input) => ({
    ManagedLoginBranding: await presentBranding(ctx, await createBranding(ctx, pool, input)),
  })),

  DescribeManagedLoginBranding: inPool(async (ctx, pool, input) => {
    const branding = await getBranding(ctx, pool, input.ManagedLoginBrandingId)
    return { ManagedLoginBranding: await presentBranding(ctx, branding, input.ReturnMergedResources) }
  }),

  DescribeManagedLoginBrandingByClient: inPool(async (ctx, pool, input) => {
    const branding = await getBrandingByClient(ctx, pool, input.ClientId)
    return { ManagedLoginBranding: await presentBranding(ctx, branding, input.ReturnMergedResources) }
  }),

  // The model requires neither of the two ids, but nothing can be found without them.
  UpdateManagedLoginBranding: async (ctx, { UserPoolId, ManagedLoginBrandingId, ...requested }) => {
    if (UserPoolId === undefined) throw missingParameter('UserPoolId')
    if (ManagedLoginBrandingId === undefined) throw missingParameter('ManagedLoginBrandingId')
    const pool = await getPool(ctx, UserPoolId)
    const branding = await updateBranding(ctx, pool, ManagedLoginBrandingId, requested)
    return { ManagedLoginBranding: await presentBranding(ctx, branding) }
  },

  DeleteManagedLoginBranding: inPool((ctx, pool, input) => deleteBranding(ctx, pool, input.ManagedLoginBrandingId)),

  CreateTerms: inPool(async (ctx, pool, input) => ({ Terms: presentTerms(await createTerms(ctx, pool, input)) })),

  DescribeTerms: inPool(async (ctx, pool, input) => ({
    Terms: presentTerms(await getTerms(ctx, pool, input.TermsId)),
  })),

  DescribeTermsByClient: inPool(async (ctx, pool, input) => ({
    Terms: presentTerms(await getTermsByClient(ctx, pool, input.ClientId, input.TermsName)),
  })),

  ListTerms: inPool(async (ctx, pool, input) => {
    const binding: PageBinding = { operation: 'ListTerms', scope: pool.id }
    const page = readPage<[number, string]>(ctx, binding, input.NextToken, input.MaxResults)
    const found = await listTerms(ctx, pool, page.after, page.limit + 1)
    const { rows, nextToken } = writePage(ctx, binding, page, found, terms => [terms.createdAt, terms.id])
    return { Terms: rows.map(presentTermsInList), NextToken: nextToken }
  }),

  UpdateTerms: inPool(async (ctx, pool, input) => ({
    Terms: presentTerms(await updateTerms(ctx, pool, input.TermsId, input)),
  })),

  DeleteTerms: inPool((ctx, pool, input) => deleteTerms(ctx, pool, input.TermsId)),
} satisfies Operations<
  | 'GetUICustomization'
  | 'SetUICustomization'
  | 'CreateManagedLoginBranding'
  | 'DescribeManagedLoginBranding'
  | 'DescribeManagedLoginBrandingByClient'
  | 'UpdateManagedLoginBranding'
  | 'DeleteManagedLoginBranding'
  | 'CreateTerms'
  | 'DescribeTerms'
  | 'DescribeTermsByClient'
  | 'ListTerms'
  | 'UpdateTerms'
  | 'DeleteTerms'
>
