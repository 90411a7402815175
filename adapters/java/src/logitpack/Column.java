package logitpack;

/** The columns of SPEC.md, section 5, and the range that each element has to be in. */
enum Column {
    NUM_TOKENS("num_tokens", Kind.INTEGER, 1, Integer.MAX_VALUE, "ROW-1"),
    TOP_COUNTS("top_counts", Kind.INTEGERS, 1, 255, "NUC-1"),
    TOP_INDICES_LOW("top_indices_low", Kind.INTEGERS, 0, 65535, "IDX-1"),
    TOP_INDICES_HIGH("top_indices_high", Kind.BINARY, 0, 0, null),
    TOP_LOGITS_QUANTIZED("top_logits_quantized", Kind.INTEGERS, 0, 65535, "QNT-8"),
    TOP_MIN("top_min", Kind.FLOATS, 0, 0, null),
    TOP_MAX("top_max", Kind.FLOATS, 0, 0, null),
    SAMPLED_INDICES_LOW("sampled_indices_low", Kind.INTEGERS, 0, 65535, "IDX-1"),
    SAMPLED_INDICES_HIGH("sampled_indices_high", Kind.BINARY, 0, 0, null),
    SAMPLED_LOGITS_QUANTIZED("sampled_logits_quantized", Kind.INTEGERS, 0, 65535, "QNT-8"),
    SAMPLED_MIN("sampled_min", Kind.FLOATS, 0, 0, null),
    SAMPLED_MAX("sampled_max", Kind.FLOATS, 0, 0, null),
    LOGSUMEXP("logsumexp", Kind.FLOATS, 0, 0, null),
    TOKEN_IDS("token_ids", Kind.INTEGERS, 0, Integer.MAX_VALUE, "ALN-4");

    enum Kind { INTEGER, INTEGERS, FLOATS, BINARY }

    final String title;
    final Kind kind;
    final long minimum;
    final long maximum;
    final String rangeRequirement;

    Column(String title, Kind kind, long minimum, long maximum, String rangeRequirement) {
        this.title = title;
        this.kind = kind;
        this.minimum = minimum;
        this.maximum = maximum;
        this.rangeRequirement = rangeRequirement;
    }

    boolean isRequired() {
        return this != TOKEN_IDS;
    }

    /** The column of this name, or null. */
    static Column named(String title) {
        for (Column column : values()) {
            if (column.title.equals(title)) {
                return column;
            }
        }
        return null;
    }
}
