"""A stack whose page says which commit it serves: one real guest; a commit that begins with ``broken`` fails."""

from __future__ import annotations

TEMPLATE = """heat_template_version: 2018-08-31
parameters:
  commit: {type: string}
resources:
  net: {type: 'SE::Network', properties: {mode: nat, cidr: 10.80.0.0/24}}
  served: {type: 'SE::WaitConditionHandle', properties: {triggers: {get_param: commit}}}
  web:
    type: SE::Server
    properties:
      image: tiny
      networks: [{network: {get_resource: net}}]
      user_data:
        str_replace:
          params: {$signal: {get_attr: [served, signal]}, $commit: {get_param: commit}}
          template: |
            #!/bin/sh
            mkdir -p /srv; echo $commit >/srv/index.html
            httpd -p 80 -h /srv
            case $commit in broken*) $signal FAILURE;; *) $signal SUCCESS;; esac
  ready: {type: 'OS::Heat::WaitCondition', depends_on: web, properties: {handle: {get_resource: served}, timeout: 400}}
  page: {type: 'SE::PublishedPort', depends_on: ready, properties: {server: {get_resource: web}, target_port: 80}}
outputs:
  url: {value: {get_attr: [page, url]}}
"""
