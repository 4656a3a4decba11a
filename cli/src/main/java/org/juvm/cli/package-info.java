/**
 * The juvm command.
 *
 * <p>{@link org.juvm.cli.Main} takes the command line apart; each subcommand is a class that checks
 * what it was given, boots a vm, and runs guests on a thread with a large stack. Whatever goes
 * wrong becomes one line on standard error and an {@link org.juvm.cli.ExitStatus}.
 */
package org.juvm.cli;
