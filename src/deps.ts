/**
 * Every third-party import, with its exact version. Nothing else in the project names a package.
 *
 * @module
 */
