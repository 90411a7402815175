package logitpack;

/** The file may be valid, but needs {@link #feature()}, which this reader has not. */
public final class UnsupportedException extends RuntimeException {
    private final String feature;

    public UnsupportedException(String feature, String message) {
        super(message);
        this.feature = feature;
    }

    /** A feature, or null where the file is larger than this reader takes. */
    public String feature() {
        return feature;
    }
}
