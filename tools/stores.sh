#!/bin/sh
# Installs what `make test-stores` runs beside Oxigraph: Virtuoso and Java from Debian, Fuseki and RDF4J from Maven's central repository.
# What is there already stays. On Debian, as root; elsewhere install virtuoso-t, isql-vt, java and mvn yourself, then run it.
set -eu
cd "$(dirname "$0")/.."
into=${HYPOMAG_STORES_DIR:-$PWD/.stores}
mkdir -p "$into"

packages=
command -v virtuoso-t >/dev/null && command -v isql-vt >/dev/null || packages="virtuoso-opensource-7 virtuoso-opensource-7-bin"
command -v java >/dev/null || packages="$packages default-jre-headless"
command -v mvn >/dev/null || packages="$packages maven"
if [ -n "$packages" ]; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $packages >"$into/apt.log" 2>&1 ||
        { apt-get update -qq >"$into/apt.log" 2>&1 && apt-get install -y -qq --no-install-recommends $packages >>"$into/apt.log" 2>&1; } ||
        { cat "$into/apt.log" >&2; exit 2; }
fi

# RDF4J is a web application; webapp-runner is a Tomcat in one jar that runs it.
get() {
    [ -s "$into/$2" ] && return
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -Dartifact="$1" -Dmdep.stripVersion=true -DoutputDirectory="$into"
    [ -s "$into/$2" ] || { echo "$1: not fetched" >&2; exit 2; }
}
get org.apache.jena:jena-fuseki-server:5.6.0 jena-fuseki-server.jar
get org.eclipse.rdf4j:rdf4j-http-server:5.0.3:war rdf4j-http-server.war
get com.heroku:webapp-runner:9.0.89.0 webapp-runner.jar
