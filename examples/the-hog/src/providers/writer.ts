const WORDS = ['growth', 'teams', 'ship', 'faster', 'with', 'fewer', 'meetings', 'and', 'clearer', 'goals'] as const

/** Writes about as many tokens as the prompt has characters, at most `maxTokens`; here a token is a word. */
export async function write(prompt: string, maxTokens: number): Promise<{ readonly text: string; readonly tokens: number }> {
  const tokens = Math.min(maxTokens, prompt.length)
  return { text: Array.from({ length: tokens }, (_, i) => WORDS[i % WORDS.length]).join(' '), tokens }
}
