/** Phrases that readers of technical English do not expect. Neither comments nor documents use them. */
export const PRIVATE_PHRASES =
  /(?<!there )\b(?:is|are) no\b|\b(?:is|are) told\b|(?<!there )\bis none\b|\bbut for\b|\bno sense\b|\bas it (?:likes|stands)\b/i;
