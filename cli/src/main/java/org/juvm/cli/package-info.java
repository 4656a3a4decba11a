/** The juvm command. */
package org.juvm.cli;
