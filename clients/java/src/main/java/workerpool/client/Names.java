package workerpool.client;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.ProtocolMessageEnum;

/** Short names of the contracts' enum values. */
public final class Names {
    private static final String UNSET = "UNSPECIFIED";

    private Names() {}

    /**
     * Returns the name of a value without the prefix of its enum: {@code COMPLETED} for {@code TASK_STATUS_COMPLETED}. It
     * serves every enum of the contracts.
     *
     * @param value the value
     * @return its short name; {@code UNRECOGNIZED} for a value that this client does not know
     */
    public static String of(ProtocolMessageEnum value) {
        if (value instanceof Enum<?> constant && constant.name().equals("UNRECOGNIZED")) {
            return constant.name();
        }
        EnumValueDescriptor known = value.getValueDescriptor();
        String unset = known.getType().findValueByNumber(0).getName();
        String prefix = unset.endsWith(UNSET) ? unset.substring(0, unset.length() - UNSET.length()) : "";
        return known.getName().startsWith(prefix) ? known.getName().substring(prefix.length()) : known.getName();
    }
}
