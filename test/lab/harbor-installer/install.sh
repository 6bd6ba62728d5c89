#!/bin/bash
# The lab's stand-in for Harbor's installer: the same steps in the same order, with the same conditions.
set -e
DIR="$(cd "$(dirname "$0")" && pwd)"
source "$DIR/common.sh"
set +o noglob
with_trivy=
while [ $# -gt 0 ]; do
  case $1 in
    --with-trivy) with_trivy=true ;;
    *) echo "usage: install.sh [--with-trivy]; set hostname and the rest in harbor.yml first"; exit 1 ;;
  esac
  shift
done
cd "$DIR"
h2 "[Step 0]: checking if docker is installed ..."; check_docker
h2 "[Step 1]: checking docker-compose is installed ..."; check_dockercompose
if [ -f harbor*.tar.gz ]; then h2 "[Step 2]: loading Harbor images ..."; docker load -i ./harbor*.tar.gz; fi
h2 "[Step 3]: preparing harbor configs ..."
./prepare ${with_trivy:+--with-trivy}
if [ -n "$($DOCKER_COMPOSE ps -q)" ]; then echo "stopping existing Harbor instance ..."; $DOCKER_COMPOSE down -v; fi
h2 "[Step 4]: starting Harbor ..."
$DOCKER_COMPOSE up -d
success "----Harbor has been installed and started successfully.----"
