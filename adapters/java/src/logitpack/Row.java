package logitpack;

/**
 * A decoded row of <i>n</i> tokens. The entries of all tokens stand one after another, in stored order.
 *
 * @param offsets int[n + 1]: the nucleus of token i is entries offsets[i] to offsets[i + 1] of {@code top}
 * @param top the nuclei
 * @param stride S: the tail of token i is entries i S to (i + 1) S of {@code sampled}
 * @param sampled the tails
 * @param logsumexp double[n], nats
 * @param tokenIds int[n], or null where there are none, or none that are valid (ALN-4)
 */
public record Row(int[] offsets, Entries top, int stride, Entries sampled, double[] logsumexp, int[] tokenIds) {
    /** Vocabulary indices and their logits in nats. */
    public record Entries(int[] indices, double[] logits) {}

    public int numTokens() {
        return logsumexp.length;
    }
}
