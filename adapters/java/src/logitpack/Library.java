package logitpack;

import java.io.IOException;

/** Turns what parquet-java throws at a broken file into one exception. */
final class Library {
    private Library() {}

    @FunctionalInterface
    interface Call<T> {
        T run() throws IOException, InvalidFileException;
    }

    /**
     * parquet-java meets damaged bytes with exceptions of many classes, and takes memory by the lengths in runs of levels and
     * in delta blocks, which cannot be bounded from outside.
     */
    static <T> T call(Call<T> call) throws InvalidFileException {
        try {
            return call.run();
        } catch (UnsupportedException unsupported) {
            throw unsupported;
        } catch (IOException | RuntimeException error) {
            throw new InvalidFileException("FILE-1", "not readable as Parquet: " + error, error);
        } catch (StackOverflowError | OutOfMemoryError error) {
            throw new InvalidFileException("FILE-1", "claims more than can be: " + error, error);
        }
    }
}
