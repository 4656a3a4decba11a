/**
 * Values that every floor of the house speaks in: page arithmetic, protection, access, inheritance.
 *
 * <p>Nothing here has state. An <em>address</em> is an unsigned 64-bit byte address inside one
 * address space; a <em>virtual page number</em> (vpn) is an address divided by the page size; a
 * <em>frame</em> is the number of a page-sized piece of physical memory, counted from zero. Only
 * {@link org.juvm.base.PageSize} converts between bytes and pages.
 */
package org.juvm.base;
