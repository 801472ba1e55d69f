import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import workerpool.client.Credentials;
import workerpool.client.Names;
import workerpool.client.Options;
import workerpool.client.Workerpool;
import workerpool.client.WorkerpoolException;
import workerpool.core.v1.Fault;
import workerpool.core.v1.GetPoolStatusRequest;
import workerpool.core.v1.GetPoolStatusResponse;
import workerpool.core.v1.ListRefusalsRequest;
import workerpool.core.v1.Reason;
import workerpool.core.v1.Replicate;
import workerpool.core.v1.ReplicateStatusCause;
import workerpool.core.v1.ReplicateStatusChange;
import workerpool.core.v1.Task;
import workerpool.core.v1.TaskStatus;
import workerpool.core.v1.TaskStatusChange;
import workerpool.core.v1.Worker;

/**
 * Lists the workers of a pool, follows a task to its end, and prints its timeline and why it failed. It exits with 0 when the
 * task COMPLETED, 3 when it FAILED, 1 after an error, and 2 after wrong arguments.
 */
final class FollowTask {
    private static final int EXIT_ERROR = 1;
    private static final int EXIT_USAGE = 2;
    private static final int EXIT_FAILED = 3;
    private static final String USAGE =
            "usage: FollowTask TARGET TASK_ID [--ca FILE] [--user NAME --password-file FILE]";

    // The reader of the output expects UTF-8 in every locale.
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final PrintStream PROGRESS =
            new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

    private FollowTask() {}

    public static void main(String[] words) {
        System.exit(run(words));
    }

    private static int run(String[] words) {
        try {
            Arguments given = Arguments.parse(words);
            TaskStatus end = report(given);
            return end == TaskStatus.TASK_STATUS_COMPLETED ? 0 : EXIT_FAILED;
        } catch (WrongArguments wrong) {
            PROGRESS.println(wrong.getMessage());
            PROGRESS.println(USAGE);
            return EXIT_USAGE;
        } catch (WorkerpoolException failed) {
            PROGRESS.println(failed.getMessage());
            return EXIT_ERROR;
        } catch (IOException unreadable) {
            PROGRESS.println("PASSWORD_UNREADABLE: cannot read the file " + unreadable.getMessage()
                    + "; give a file that holds the password alone");
            return EXIT_ERROR;
        }
    }

    private static TaskStatus report(Arguments given) throws IOException {
        try (Workerpool pool = given.connect()) {
            if (given.withUser()) {
                // Public reads are answered whatever the credentials are; this call tells whether they are right.
                pool.call(() -> pool.pool().listRefusals(ListRefusalsRequest.getDefaultInstance()));
            }
            printPool(pool);
            OUT.println("task " + given.taskId());
            Task task = follow(pool, given.taskId());
            printTask(task);
            return task.getStatus();
        }
    }

    private static void printPool(Workerpool pool) {
        GetPoolStatusResponse state =
                pool.call(() -> pool.pool().getPoolStatus(GetPoolStatusRequest.getDefaultInstance()));
        OUT.println("pool " + state.getWorkerpool() + " version " + state.getVersion());
        List<Worker> workers = pool.workers().toList();
        for (Worker worker : workers) {
            OUT.println("worker " + worker.getWalletAddress() + " name=" + worker.getName() + " slots=" + worker.getSlots()
                    + (worker.getConnected() ? " connected" : " away"));
        }
        OUT.println("workers " + workers.size());
    }

    /** Returns the last state of a task. */
    private static Task follow(Workerpool pool, String taskId) {
        Task last = Task.getDefaultInstance();
        try (Stream<Task> states = pool.watchTask(taskId)) {
            for (Task task : (Iterable<Task>) states::iterator) {
                if (task.getStatus() != last.getStatus()) {
                    PROGRESS.println("\u2026 " + Names.of(task.getStatus()));
                }
                last = task;
            }
        }
        return last;
    }

    private static void printTask(Task task) {
        for (TaskStatusChange entry : task.getHistoryList()) {
            long block = entry.getChainReceipt().getBlockNumber();
            OUT.println("  " + Names.of(entry.getStatus()) + (block == 0 ? "" : " block " + Long.toUnsignedString(block)));
        }
        List<Replicate> replicates = new ArrayList<>(task.getReplicatesList());
        replicates.sort(Comparator.comparing(Replicate::getWalletAddress));
        for (Replicate replicate : replicates) {
            for (ReplicateStatusChange entry : replicate.getHistoryList()) {
                boolean caused = entry.getCause() != ReplicateStatusCause.REPLICATE_STATUS_CAUSE_UNSPECIFIED;
                OUT.println("    " + replicate.getWalletAddress() + " " + Names.of(entry.getStatus())
                        + (caused ? " " + Names.of(entry.getCause()) : ""));
            }
        }
        if (task.hasReason()) {
            Reason reason = task.getReason();
            String fault = reason.getFault() == Fault.FAULT_UNSPECIFIED ? "-" : Names.of(reason.getFault());
            OUT.println("reason " + Names.of(reason.getCode()) + " " + fault + ": " + reason.getSentence());
            OUT.println("next " + reason.getNextStep());
        }
        OUT.println(Names.of(task.getStatus()) + " " + (task.getResultLink().isEmpty() ? "-" : task.getResultLink()));
    }

    /** The command line is wrong; the message says how. */
    private static final class WrongArguments extends Exception {
        private static final long serialVersionUID = 1L;

        WrongArguments(String message) {
            super(message);
        }
    }

    /** The arguments of the command line. */
    private record Arguments(String target, String taskId, Map<String, String> options) {
        private static final String CA = "--ca";
        private static final String USER = "--user";
        private static final String PASSWORD_FILE = "--password-file";
        private static final Set<String> KNOWN = Set.of(CA, USER, PASSWORD_FILE);

        /** Reads the arguments; options may stand before, between and after the two others. */
        static Arguments parse(String[] words) throws WrongArguments {
            Deque<String> rest = new ArrayDeque<>(List.of(words));
            List<String> others = new ArrayList<>();
            Map<String, String> options = new HashMap<>();
            while (!rest.isEmpty()) {
                String word = rest.remove();
                if (KNOWN.contains(word)) {
                    if (rest.isEmpty()) {
                        throw new WrongArguments(word + " needs a value");
                    }
                    options.put(word, rest.remove());
                } else if (word.startsWith("-")) {
                    throw new WrongArguments(word + " is no option");
                } else {
                    others.add(word);
                }
            }
            if (others.size() != 2) {
                throw new WrongArguments("give the address of the pool and the id of a task");
            }
            if (options.containsKey(USER) != options.containsKey(PASSWORD_FILE)) {
                throw new WrongArguments("give --user and --password-file together");
            }
            return new Arguments(others.get(0), others.get(1), options);
        }

        boolean withUser() {
            return options.containsKey(USER);
        }

        Workerpool connect() throws IOException {
            Options how = Options.defaults();
            if (options.containsKey(CA)) {
                how = how.withCa(Path.of(options.get(CA)));
            }
            return withUser()
                    ? Workerpool.connect(target, Credentials.basic(options.get(USER), password()), how)
                    : Workerpool.connect(target, how);
        }

        private String password() throws IOException {
            return Files.readString(Path.of(options.get(PASSWORD_FILE))).replaceFirst("[\r\n]+$", "");
        }
    }
}
