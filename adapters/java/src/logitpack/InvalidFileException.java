package logitpack;

/** The data breaks a requirement of SPEC.md, named by {@link #requirement()}, so that no reader may return it (RD-1). */
public final class InvalidFileException extends Exception {
    private final String requirement;

    public InvalidFileException(String requirement, String message) {
        super(message);
        this.requirement = requirement;
    }

    public InvalidFileException(String requirement, String message, Throwable cause) {
        super(message, cause);
        this.requirement = requirement;
    }

    public String requirement() {
        return requirement;
    }

    InvalidFileException at(String place) {
        return new InvalidFileException(requirement, getMessage() + " (" + place + ")", this);
    }
}
