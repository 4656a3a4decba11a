package org.juvm.cli;

import java.util.Objects;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class Version implements IVersionProvider {
  Version() {}

  @Override
  public String[] getVersion() {
    var version = Version.class.getPackage().getImplementationVersion();
    return new String[] {
      "juvm " + Objects.requireNonNullElse(version, "(not packaged)"), "Java " + Runtime.version()
    };
  }
}
